"""The numbers in the text of notebook 07 that no cell prints."""

SHANNON = "Shannon (1951), Prediction and entropy of printed English"
WRITERS = "`python -m benchmarks.language`"
AWAY = "(({}) - centres[0]).norm()"
FORMULA = AWAY.format("powers[2.0].T.flatten() @ places")
SAMPLES = AWAY.format("samples[2.0].mean(0)")
COMPUTED = [
    (
        "plane-predict",
        "its middle lies {:.1f} from the star, that of the samples {:.1f}",
        "plane-samples",
        f"({FORMULA}, {SAMPLES})",
    ),
]
QUOTED = {
    ("close", "2207.12598"): "the number of the paper in arXiv",
    ("bits-caption", "0.6"): SHANNON,
    ("bits-caption", "1.3"): SHANNON,
    ("bits-caption", "2.47"): WRITERS,
    ("bits-caption", "2.49"): WRITERS,
    ("bits-caption", "2.32"): WRITERS,
    ("bits-caption", "2.44"): WRITERS,
    ("bits-caption", "2.57"): WRITERS,
    ("bits-caption", "2.59"): WRITERS,
}
