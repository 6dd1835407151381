"""A tiny checkpoint made on the fly: whole and valid, with weights drawn at random."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from stancekit.export import describe, export
from stancekit.model import StanceModel, load
from stancekit.records import LabelSet

WORDS = """
    the a an of to and in is was be we they it he she will not no never but if when that this would
    bridge tax law plan talks road war peace budget vote treaty school party union town minister
    mayor support back fight oppose welcome reject wait see doubt hope fear cost good bad wrong
    right said says told asked people country government city new old first last year week day
    ##s ##ed ##ing ##ly ##er ##ment ##tion
"""


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Matrices this small only wait for each other on several."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_labels() -> LabelSet:
    return LabelSet(("optimistic", "circumspect", "opposed", "none"), (1.0, 0.0, -1.0, None))


@pytest.fixture(scope="session")
def tiny_trained_dir(tmp_path_factory: pytest.TempPathFactory, tiny_labels: LabelSet) -> Path:
    """A two-layer BERT as a plain Hugging Face folder, as fine-tuning would leave it."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("trained")
    letters = [*string.ascii_lowercase, *string.digits, *string.punctuation, "\u2019", "\u2013"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = list(dict.fromkeys([*special, *letters, *(f"##{x}" for x in letters), *WORDS.split()]))
    _tokenizer(words).save_pretrained(folder)
    torch.manual_seed(5)
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=256,
            id2label=dict(enumerate(tiny_labels.names)),
            label2id={name: i for i, name in enumerate(tiny_labels.names)},
        )
    )
    # As drawn, every statement gets nearly the same answer: wider weights tell statements apart,
    # and the bias takes away what all answers share, so that every label occurs.
    model.eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("weight") and "LayerNorm" not in name:
                value.mul_(10 if "attention" in name else 5)
        batch = _pairs(len(words))
        model.classifier.weight.mul_(1.5 / model(**batch).logits.std(0).mean())
        model.classifier.bias.copy_(-model(**batch).logits.mean(0))
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model_dir(
    tmp_path_factory: pytest.TempPathFactory, tiny_trained_dir: Path, tiny_labels: LabelSet
) -> Path:
    """A complete checkpoint; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    export(tiny_trained_dir, tiny_trained_dir / "tokenizer.json", folder)
    describe(folder, tiny_labels, temperature=1.25, thresholds={}, manifest="0" * 12, dev={})
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_model_dir: Path) -> StanceModel:
    return load(tiny_model_dir, engine="onnx", threads=1)


def _pairs(words: int):  # type: ignore[no-untyped-def]
    """Sixty-four made-up (topic, statement) pairs: three words and twenty."""
    import torch

    ids = torch.randint(5, words, (64, 26))
    ids[:, 0], ids[:, 4], ids[:, -1] = 2, 3, 3
    types = torch.zeros_like(ids)
    types[:, 5:] = 1
    return {"input_ids": ids, "token_type_ids": types}


def _tokenizer(words: list[str]):  # type: ignore[no-untyped-def]
    import transformers
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    ids = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
