"""Text of short messages: alphabet, packing, user data headers, segments (3GPP TS 23.038 and 23.040).

`alphabet` holds the default tables, `national` those of languages, `packing` squeezes septets into octets, `udh` reads
and writes the user data header, `segments` chooses an encoding and cuts. Standard library only, no I/O: the folder can
be lifted out whole.
"""
