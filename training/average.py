"""One model from several: the mean of their weights.

Fine-tunings from the same start lie close enough together for their mean to be a better model than
either, at the cost of one (Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def average(folders: Sequence[Path], output: Path) -> Path:
    """Write the mean of classifiers of the same shape, each fine-tuned from the one before or all
    from the same weights.
    """
    import torch
    import transformers

    models = [
        transformers.AutoModelForSequenceClassification.from_pretrained(folder)
        for folder in folders
    ]
    states = [model.state_dict() for model in models]
    models[0].load_state_dict(
        {
            name: torch.stack([state[name] for state in states]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in states[0].items()
        }
    )
    models[0].save_pretrained(output)
    return output
