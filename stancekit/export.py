"""A fine-tuned classifier to a checkpoint: a Hugging Face folder that both engines can run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stancekit.checkpoint import (
    FORMAT,
    METADATA,
    ONNX_WEIGHTS,
    TOKENIZER,
    hash_file,
)
from stancekit.encoding import TEMPLATE, WINDOW
from stancekit.engines import takes_types
from stancekit.errors import MissingExtraError
from stancekit.quantise import quantise, snap
from stancekit.records import LabelSet

__all__ = ["describe", "export", "float_graph"]

OPSET = 20  # the first with GELU as one operator


def export(trained: Path, tokenizer: Path, output: Path, seed: int | None = None) -> None:
    """Write weights as fp16 safetensors and int8 ONNX, with configuration and tokenizer.

    The folder is not yet a checkpoint: ``describe`` makes it one.

    Args:
        trained: what ``finetune.fit`` wrote.
        tokenizer: the ``tokenizer.json`` it was trained with.
        output: folder to write to; made if need be.
        seed: of the draws by which weights are rounded (``quantise.snap``), where what was trained
            began as an exported folder; None rounds to the nearest.

    Raises:
        MissingExtraError: torch, transformers or onnx is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train") from None
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        trained, attn_implementation="eager", dtype=torch.float32
    ).eval()
    _snap(model, torch, None if seed is None else np.random.default_rng(seed))
    output.mkdir(parents=True, exist_ok=True)
    # Through fp16 and back, so that the ONNX file holds the weights that the other file can say.
    model.half().save_pretrained(output)
    _write_tokenizer(tokenizer, output)
    _write_onnx(model.float(), output / ONNX_WEIGHTS)


def describe(
    folder: Path,
    labels: LabelSet,
    *,
    temperature: float,
    thresholds: Mapping[str, float | None],
    manifest: str,
    dev: Mapping[str, Any],
) -> None:
    """Write ``stancekit.json``, with a hash of every other file of the folder.

    Args:
        folder: what ``export`` wrote.
        labels: in the order of the model's outputs.
        temperature: fitted on dev.
        thresholds: wanted error rate to the confidence that keeps to it, or None.
        manifest: hash of the rows it was trained on.
        dev: scores on dev, as ``Report.to_dict`` gives them.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != METADATA)
    facts = {
        "format": FORMAT,
        "template": TEMPLATE,
        "window": WINDOW,
        "labels": [
            {"name": name, "polarity": worth}
            for name, worth in zip(labels.names, labels.polarity, strict=True)
        ],
        "temperature": temperature,
        "thresholds": dict(thresholds),
        "manifest": manifest,
        "dev": dict(dev),
        "files": {str(path.relative_to(folder).as_posix()): hash_file(path) for path in files},
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (folder / METADATA).write_text(text + "\n", encoding="utf-8")


def _snap(model: Any, torch: Any, rng: np.random.Generator | None) -> None:
    """Move the weights that become integers to the steps integers can say."""
    for name, module in model.named_modules():
        table = isinstance(module, torch.nn.Embedding)
        if table or (isinstance(module, torch.nn.Linear) and not _is_head(name)):
            module.weight.data = torch.from_numpy(snap(module.weight.data.numpy(), table, rng))


def _is_head(name: str) -> bool:
    # Applied once a statement, not once a token: the float product costs nothing there.
    return "pooler" in name or "classifier" in name


def _write_tokenizer(tokenizer: Path, output: Path) -> None:
    facts = json.loads(tokenizer.read_text(encoding="utf-8"))
    # Length is the encoder's business; a limit left in here would cut statements silently.
    facts["truncation"] = facts["padding"] = None
    (output / TOKENIZER).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        source = tokenizer.parent / name
        if source.is_file():
            kept = json.loads(source.read_text(encoding="utf-8"))
            if name == "tokenizer_config.json":
                kept |= {"model_max_length": WINDOW, "split_special_tokens": True}
                kept.pop("max_length", None)
            (output / name).write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def float_graph(model: Any) -> Any:
    """A classifier in float32 as an ``onnx.ModelProto`` of any batch size and length.

    Args:
        model: of ``transformers``, in evaluation mode, with eager attention.

    Raises:
        MissingExtraError: torch or onnx is not installed.
    """
    try:
        import onnx  # noqa: F401  # the exporter needs both, and would say so less clearly
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingExtraError(error.name or "onnx", "train") from None
    inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if takes_types(model) else [])]
    # Two rows of sixteen: sizes other than 1, which the exporter would take for constants.
    example = tuple(torch.ones((2, 16), dtype=torch.long) for _ in inputs)
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    program = torch.onnx.export(
        model,
        example,
        input_names=inputs,
        output_names=["logits"],
        dynamic_shapes=(shape,) * len(inputs),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    return _without_traces(program.model_proto)


def _without_traces(graph_model: Any) -> Any:
    """The same model without what the exporter notes of each node: source lines and their paths.

    They name folders of the machine that exported it, which is nobody else's business.
    """
    graph = graph_model.graph
    for part in (
        *(graph_model, graph),
        *(*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output),
    ):
        del part.metadata_props[:]
    return graph_model


def _write_onnx(model: Any, path: Path) -> None:
    graph = quantise(float_graph(model))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.SerializeToString())
