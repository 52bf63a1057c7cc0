"""A fair contest between pretraining objectives: same data, same encoder, same compute, exact distances.

World (a) is a small formal language (`grammar`) compiled to a finite-state process whose conditional
distributions are computed exactly (`language`), so that an objective's distance from the best that any model
could do is a number and not a guess (`floors`). `design` says what is compared before anything runs,
`runs` does it, `report` turns the files of the runs into a results file. World (b), real English, is the
folder `english`; it shares the entrants, the counting of operations and the runs.
"""
