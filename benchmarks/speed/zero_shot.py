"""``zero-shot-classification`` as people use it for stance: one pass a label, a base-size model.

The model has the shape of DeBERTa-v3-base and random weights, and borrows our tokenizer: it is here
for its time alone, and its answers mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stancekit.engines import Engine
from stancekit.records import Example

# From the published config.json of DeBERTa-v3-base.
SHAPE: dict[str, Any] = {
    "vocab_size": 128_100,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 0,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "layer_norm_eps": 1e-7,
    "max_relative_positions": -1,
    "position_biased_input": False,
    "pooler_hidden_size": 768,
    "pooler_hidden_act": "gelu",
    "pooler_dropout": 0,
}
ENTAILMENT = {"contradiction": 0, "neutral": 1, "entailment": 2}
SEED = 7


def zero_shot(
    folder: Path, engine: Engine, names: Sequence[str]
) -> Callable[[Sequence[Example]], list[str]]:
    """A classifier that asks of each row whether it entails each label; all of a row in a batch.

    Args:
        folder: whose tokenizer to borrow.
        engine: for its device and dtype.
        names: the labels.
    """
    import torch
    import transformers

    config = transformers.DebertaV2Config(
        **SHAPE,
        label2id=ENTAILMENT,
        id2label={i: name for name, i in ENTAILMENT.items()},
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = transformers.DebertaV2ForSequenceClassification(config)
    if engine.dtype == "bfloat16":
        model = model.to(torch.bfloat16)
    made: Any = transformers.pipeline(
        "zero-shot-classification",
        model=model.eval(),
        tokenizer=transformers.AutoTokenizer.from_pretrained(folder),
        device=engine.device,
    )

    def run(rows: Sequence[Example]) -> list[str]:
        labels = []
        for row in rows:
            asked = [f"{name} toward {row.topic}" for name in names]
            answer = made(row.statement, candidate_labels=asked, batch_size=len(asked))
            labels.append(answer["labels"][0])
        return labels

    return run
