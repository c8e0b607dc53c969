"""The numbers in the text of notebook 05 that no cell prints."""

COMPUTED = [
    ("jsd-text", "$-\\log 4 \\approx -{:.3f}$", "jsd-verify", "math.log(4)"),
    ("exercise-jsd-text", "log 2 ≈ {:.3f}", "jsd-verify", "math.log(2)"),
]
TABLE_1 = """
GAN 6.3 98.2 0.45 17.3 94.8 0.70 ALI 6.6 97.6 0.36 24.1 95.7 0.14
packs of 2: 7.9 95.6 0.07 23.8 91.3 0.13 of 4: 7.8 95.9 0.07 24.8 93.6 0.04
"""
PACGAN = "Table 1 of PacGAN (Lin et al. 2018)"
QUOTED = {
    ("published-text", number): PACGAN for number in TABLE_1.split() if "." in number
}
PERFECT = "(modes − 1) / 5000: the mean of twice the sample size times this KL is k − 1"
SPREADS = "`python -m benchmarks.gan --data ring --loss relativistic` and `sighted`"
QUOTED |= {
    ("published-text", "0.001"): PERFECT,
    ("published-text", "0.005"): PERFECT,
    ("price-text", "2.5"): "the number of a theorem",
    ("trained-d-text", "99"): "the share that the cell below shades: its 0.01 and 0.99",
    ("ring-film-caption", "90"): "momentum 0.9 in per cent",
    ("cures-caption", "94"): "`python -m benchmarks.gan --data grid --loss sighted`",
    ("spread-caption", "0.44"): SPREADS,
    ("spread-caption", "0.69"): SPREADS,
    ("spread-caption", "0.96"): SPREADS,
    ("spread-caption", "1.02"): SPREADS,
    ("rivals-caption", "38"): "one minus the confident share that `scores` prints",
    ("frechet-text", "99"): "`python -m tools.digit_classifier`, data/README.md",
    ("scores-caption", "90"): "the threshold of `course_utils.scores`",
}
