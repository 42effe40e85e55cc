import os

# As the window and the command line have it, before numpy is loaded: see `roi_core.cli.main`.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
