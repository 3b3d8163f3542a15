"""Use cases of people: what the operator and the customers set up, look at and undo.

One class for each thing; whoever calls is a command, a console page or a dialect. A service opens the transaction,
checks what was asked against what is there, and keeps who changed what in the same transaction.
"""
