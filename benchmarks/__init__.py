"""What `discover` costs and how often it is right, measured by commands that anyone can run again."""

import os

# One BLAS thread for each process: the arrays are small, and several threads on a core cost many times the work.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
