"""Speed and quality, measured: results as JSON in ``results/``, tables made from them."""
