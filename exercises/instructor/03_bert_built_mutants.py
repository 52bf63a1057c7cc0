# ruff: noqa: F811, F821
# Known wrong answers of exercise 3. Each must fail its checks with a message that names the mistake.
#
# The tasks: 1 inputs "Two sentences, one input"; 2 attention "Attention that ignores padding";
# 3 heads "Many heads from one vector"; 4 block "Add, then normalize"; 5 count "Count every parameter";
# 6 load "Load weights by name".
