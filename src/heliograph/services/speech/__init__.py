"""Speech: texts read aloud, as a telephone takes them.

`speaker.py` is the pipeline's `Speaker`. Below it `workers.py` keeps processes that read (`worker.py` is what runs in
them, `engine.py` the engine, `sound.py` what becomes of its sound), and `cache.py` keeps what was read.

The engine is eSpeak NG, whose licence is the GPL and whose library is C that is given the texts of strangers. For both
reasons nothing but `engine.py` touches it, which is imported in a process of its own, with bounds.
"""
