# ruff: noqa: F811, F821
# Known wrong answers of exercise 2. Each must fail its checks with a message that names the mistake.
#
# The tasks: 1 pairs "Pairs of neighbors"; 2 negative-loss "One pair against noise"; 3 mix "ELMo's mix of layers";
# 4 word-vector "One vector for a word in pieces"; 5 self-similarity "How much does a word change?";
# 6 senses "Which sense is it?".
