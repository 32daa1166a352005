"""What others reached on the same held-out rows: R2 clipped to [-1, 1], mean of five runs unless said.

Source: SLDBench (Lin et al. 2026, arXiv 2507.21184).
"""

from __future__ import annotations

TASKS = (
    "parallel_scaling",
    "vocab_scaling",
    "sft_scaling",
    "domain_mixture_scaling",
    "moe_scaling",
    "data_constrained_scaling",
    "lr_bsz_scaling",
    "u_shape_scaling",
)
SOURCE = "SLDBench, arXiv 2507.21184"
PUBLISHED = {
    "human, as published": (1.000, 0.966, 0.957, 0.671, 0.703, 0.911, -0.076, -1.0),
    "best search without a language model (3.4 CPU-h)": (0.985, 0.971, 0.982, 0.991, 0.656, 0.768, 0.372, -0.076),
    "SLDAgent + GPT-5": (1.000, 0.987, 0.993, 0.988, 0.773, 0.944, 0.604, -0.305),
    "best single run of any of 27 agents": (1.000, 0.988, 0.9945, 0.9935, 0.891, 0.987, 0.848, 0.381),
    "best ever found, chosen by test score": (1.000, 0.988, 0.9947, 0.997, 0.891, 0.991, 0.951, 0.498),
}
