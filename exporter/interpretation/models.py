"""Model ids as callers give them, resolved to the foundation model and its routing.

Reads what the id itself says, the configured aliases of ids that hide their model, and what AWS
told of inference profiles. Whether a model has a price, or is billed by the token at all, the price
book knows; AWS is not asked.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from exporter.interpretation.measures import UNKNOWN, label_text


class Routing(StrEnum):
    """Where a call may be served, which decides its price."""

    IN_REGION = "in_region"
    GEO = "geo"
    GLOBAL = "global"


class UnpricedReason(StrEnum):
    """Why a call has no price."""

    UNKNOWN_MODEL = "unknown_model"
    NO_PRICE = "no_price"
    """The model is known, but not its price in this region, routing or tier."""
    UNRESOLVED = "unresolved"
    """The id hides its model, no alias names it, and AWS did not tell."""
    NOT_TOKEN_BILLED = "not_token_billed"
    PROVISIONED = "provisioned"
    CUSTOM = "custom"
    IMPORTED = "imported"


class Model(NamedTuple):
    """What a model id stands for."""

    model: str
    """The foundation model's id; of an id that hides it, the resource part of the ARN."""
    routing: Routing = Routing.IN_REGION
    unpriced: UnpricedReason | None = None
    """None: the price book decides."""


class ModelInfo(NamedTuple):
    """How a model is called among people."""

    name: str
    provider: str


PROVIDERS = {
    "ai21": "AI21 Labs",
    "amazon": "Amazon",
    "anthropic": "Anthropic",
    "cohere": "Cohere",
    "deepseek": "DeepSeek",
    "google": "Google",
    "luma": "Luma AI",
    "meta": "Meta",
    "minimax": "MiniMax",
    "mistral": "Mistral AI",
    "moonshot": "Moonshot AI",
    "moonshotai": "Moonshot AI",
    "nvidia": "NVIDIA",
    "openai": "OpenAI",
    "qwen": "Qwen",
    "stability": "Stability AI",
    "twelvelabs": "TwelveLabs",
    "writer": "Writer",
    "xai": "xAI",
    "zai": "Z.AI",
}
"""First parts of foundation model ids."""

_PREFIXES = frozenset({"us", "us-gov", "eu", "apac", "au", "ca", "jp", "global"})
"""Routing prefixes seen so far. A new one is known by the provider, or the ARN, that follows."""

_OWN_PRICE = {
    "provisioned-model": UnpricedReason.PROVISIONED,
    "custom-model": UnpricedReason.CUSTOM,
    "custom-model-deployment": UnpricedReason.CUSTOM,
    "imported-model": UnpricedReason.IMPORTED,
}
"""Resources that never have an on-demand price, whatever model is behind them."""

_ARN = re.compile(r"arn:[^:]*:(?P<service>[^:]*):(?P<region>[^:]*):[^:]*:(?P<resource>.+)")
_FOUNDATION_MODEL = re.compile(
    r"(?=.{3,256}\Z)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+(?::[a-z0-9-]{1,63})*"
)


def resolve(model_id: str, aliases: Mapping[str, str], routes: Sequence[str] = ()) -> Model:
    """Return what a model id or ARN of any form stands for.

    An alias is looked up by the whole id, then by its last part, and only for ids that hide their
    model; its value is taken as it is, not looked up again. Where there is none, `routes` tell: the
    ARNs of the models that an inference profile routes to.
    """
    direct = _resolve_plainly(model_id)
    if direct.unpriced is None or direct.unpriced is UnpricedReason.NOT_TOKEN_BILLED:
        return direct
    aliased = _resolve_plainly(_alias(model_id, aliases))
    if direct.unpriced is UnpricedReason.UNRESOLVED:
        return aliased if aliased.unpriced is None else _resolve_routes(model_id, routes) or direct
    return direct if aliased.unpriced is not None else direct._replace(model=aliased.model)


def _resolve_routes(profile_arn: str, routes: Sequence[str]) -> Model | None:
    """Resolve a profile by what it routes to, as the profile that it was copied from would be.

    A copy of a foundation model routes to the model in the profile's own region. A copy of a global
    profile has a route without a region (GetInferenceProfile; Bedrock User Guide, "Global
    cross-Region inference"), and any other set of regions is a geography's. None where the routes
    lead to several models: whichever was taken, it would be a guess.
    """
    models = {_resolve_plainly(route) for route in routes}
    regions = {_region(route) for route in routes}
    model = models.pop() if len(models) == 1 else None
    if model is None or model.unpriced is not None:
        return None
    if "" in regions:
        return model._replace(routing=Routing.GLOBAL)
    return model if regions == {_region(profile_arn)} else model._replace(routing=Routing.GEO)


def _region(arn: str) -> str:
    match = _ARN.fullmatch(arn)
    return match["region"] if match else ""


def _alias(model_id: str, aliases: Mapping[str, str]) -> str:
    last = model_id.rpartition("/")[2]
    for name in (model_id, last, last.partition(":")[0]):
        if name in aliases:
            return aliases[name]
    return ""


def _resolve_plainly(model_id: str) -> Model:
    """Resolve without aliases."""
    match = _ARN.fullmatch(model_id)
    if match is None:
        return _resolve_name(model_id)
    resource = label_text(match["resource"]) or UNKNOWN
    kind, _, name = match["resource"].partition("/")
    if match["service"] == "sagemaker":
        return Model(resource, unpriced=UnpricedReason.NOT_TOKEN_BILLED)
    if kind == "foundation-model" and _FOUNDATION_MODEL.fullmatch(name):
        return Model(name)
    if kind == "inference-profile" and _FOUNDATION_MODEL.fullmatch(name):
        return _resolve_profile(name)
    return Model(resource, unpriced=_OWN_PRICE.get(kind, UnpricedReason.UNRESOLVED))


def _resolve_name(name: str) -> Model:
    """Resolve the id of a foundation model or of a system-defined inference profile."""
    if not _FOUNDATION_MODEL.fullmatch(name):
        return Model(label_text(name) or UNKNOWN, unpriced=UnpricedReason.UNRESOLVED)
    first, second, *others = name.split(".")
    if others and (first in _PREFIXES or second in PROVIDERS):
        return _resolve_profile(name)
    return Model(name)


def _resolve_profile(profile_id: str) -> Model:
    """Resolve the id of a system-defined profile: a routing prefix and a foundation model."""
    prefix, _, model = profile_id.partition(".")
    if prefix in PROVIDERS or "." not in model:
        return Model(profile_id)
    return Model(model, Routing.GLOBAL if prefix == "global" else Routing.GEO)


_NAMES = {
    "ai21.j2-mid-v1": "Jurassic-2 Mid",
    "ai21.j2-ultra-v1": "Jurassic-2 Ultra",
    "anthropic.claude-v2:1": "Claude 2.1",
    "anthropic.claude-v2": "Claude 2",
    "cohere.command-r-plus-v1:0": "Command R+",
    "deepseek.r1-v1:0": "DeepSeek-R1",
    "deepseek.v3-v1:0": "DeepSeek-V3.1",
    "deepseek.v3.2": "DeepSeek-V3.2",
    "openai.gpt-oss-20b-1:0": "gpt-oss-20b",
    "openai.gpt-oss-120b-1:0": "gpt-oss-120b",
}
"""Names that the rule of `describe` would get wrong."""

_WORDS = {"glm": "GLM", "gpt": "GPT", "it": "IT", "minimax": "MiniMax", "oss": "OSS", "vl": "VL"}


def describe(model: str) -> ModelInfo:
    """Return a model's readable name and provider; the id itself where it hides the model.

    The name is the id without provider, first version and date, its words with capitals and its
    version numbers with points: anthropic.claude-sonnet-4-5-20250929-v1:0 is Claude Sonnet 4.5.
    """
    if not _FOUNDATION_MODEL.fullmatch(model):
        return ModelInfo(model, UNKNOWN)
    provider, _, name = model.partition(".")
    return ModelInfo(
        _NAMES.get(model) or _readable(name) or model, PROVIDERS.get(provider, provider.title())
    )


def _readable(name: str) -> str:
    name = re.sub(r"(?:-v[01]|-1(?=:0$))?(?::\w+)*$", "", name)
    name = re.sub(r"-20[0-9]{6}(?=-|$)", "", name)
    name = re.sub(r"^llama(?=[0-9])", "llama-", name)
    name = re.sub(r"(?<=[0-9])-(?=[0-9]{1,2}(?:-|$))", ".", name)
    return " ".join(_capitalised(word) for word in name.split("-") if word)


def _capitalised(word: str) -> str:
    if re.fullmatch(r"[0-9]+(?:x[0-9]+)?b|a[0-9]+b", word):
        return re.sub("[ab]", lambda letter: letter[0].upper(), word)
    if re.fullmatch(r"v[0-9.]+", word):
        return word
    return _WORDS.get(word, word[:1].upper() + word[1:])
