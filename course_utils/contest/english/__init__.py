"""World (b) of the contest: real English, the reader's own text files or a corpus of the hub.

The floor is not known here, so that the measures compare: with counts of words and their neighbors, with an
untrained encoder, and with each other. `text` reads and cuts, `corpus` prepares it once for all runs,
`design` says what is compared, `measures` asks, `runs` and `report` do what their namesakes do for world (a).
"""
