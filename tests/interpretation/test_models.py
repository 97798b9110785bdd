"""Every form of a model id, resolved to the foundation model, its routing, or a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.interpretation.models import Model, Routing, UnpricedReason, describe, resolve

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
HERE = "arn:aws:bedrock:us-east-1:111122223333"
PROFILE = f"{HERE}:application-inference-profile/a1b2c3d4e5f6"
IN_REGION, GEO, GLOBAL = Routing.IN_REGION, Routing.GEO, Routing.GLOBAL


@pytest.mark.parametrize(
    "model",
    [
        SONNET,
        "anthropic.claude-sonnet-4-6",
        "anthropic.claude-v2:1",
        "anthropic.claude-3-haiku-20240307-v1:0:48k",
        "moonshotai.kimi-k2.5",
        "zai.glm-4.7",
        "openai.gpt-oss-120b-1:0",
        "deepseek.v3.2",
        "newcomer.model-1-v1:0",
        "newcomer.model-1.5",
        "amazon.amazon.model",
    ],
)
def test_a_foundation_model_is_itself_in_region(model):
    assert resolve(model, {}) == Model(model, IN_REGION)
    assert resolve(f"arn:aws:bedrock:us-east-1::foundation-model/{model}", {}) == Model(model)
    assert resolve(f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{model}", {}) == Model(
        model
    )


@pytest.mark.parametrize(
    ("prefix", "routing"),
    [
        *[(prefix, GEO) for prefix in ("us", "us-gov", "eu", "apac", "au", "ca", "jp")],
        ("global", GLOBAL),
        ("kr", GEO),
        ("latam", GEO),
        ("eu-sovereign", GEO),
    ],
)
@pytest.mark.parametrize("model", [SONNET, "moonshotai.kimi-k2.5", "zai.glm-4.7"])
def test_a_profile_is_its_model_and_the_prefix_its_routing(prefix, routing, model):
    assert resolve(f"{prefix}.{model}", {}) == Model(model, routing)
    for partition in ("aws", "aws-us-gov", "aws-cn"):
        arn = f"arn:{partition}:bedrock:eu-west-1:111122223333:inference-profile/{prefix}.{model}"
        assert resolve(arn, {}) == Model(model, routing)


def test_a_new_provider_below_a_known_prefix_or_in_a_profile_arn():
    assert resolve("us.newcomer.model-1", {}) == Model("newcomer.model-1", GEO)
    assert resolve(f"{HERE}:inference-profile/kr.newcomer.model-1", {}) == Model(
        "newcomer.model-1", GEO
    )


def test_a_new_provider_below_a_new_prefix_stays_whole_so_that_no_price_is_guessed():
    assert resolve("kr.newcomer.model-1", {}) == Model("kr.newcomer.model-1", IN_REGION)


def test_a_model_with_a_dot_in_a_profile_arn_without_prefix_is_not_cut():
    assert resolve(f"{HERE}:inference-profile/zai.glm-4.7", {}) == Model("zai.glm-4.7")


@pytest.mark.parametrize(
    ("model_id", "model", "reason"),
    [
        (PROFILE, "application-inference-profile/a1b2c3d4e5f6", "unresolved"),
        (
            "arn:aws-cn:bedrock:cn-north-1:111122223333:application-inference-profile/a1b2c3d4e5f6",
            "application-inference-profile/a1b2c3d4e5f6",
            "unresolved",
        ),
        (f"{HERE}:inference-profile/abc", "inference-profile/abc", "unresolved"),
        (
            f"{HERE}:provisioned-model/abc123def456",
            "provisioned-model/abc123def456",
            "provisioned",
        ),
        (
            f"{HERE}:custom-model/amazon.titan-text-lite-v1:0:4k/abc123def456",
            "custom-model/amazon.titan-text-lite-v1:0:4k/abc123def456",
            "custom",
        ),
        (
            f"{HERE}:custom-model-deployment/abc123def456",
            "custom-model-deployment/abc123def456",
            "custom",
        ),
        (f"{HERE}:imported-model/abc123def456", "imported-model/abc123def456", "imported"),
        (f"{HERE}:prompt/ABCDE12345:3", "prompt/ABCDE12345:3", "unresolved"),
        (f"{HERE}:prompt-router/abc123def456", "prompt-router/abc123def456", "unresolved"),
        (
            f"{HERE}:default-prompt-router/anthropic.claude:1",
            "default-prompt-router/anthropic.claude:1",
            "unresolved",
        ),
        (
            "arn:aws:sagemaker:us-east-1:111122223333:endpoint/my-endpoint",
            "endpoint/my-endpoint",
            "not_token_billed",
        ),
        (f"{HERE}:something-new/x", "something-new/x", "unresolved"),
        ("abc123def456", "abc123def456", "unresolved"),
        ("claude", "claude", "unresolved"),
        ("", "unknown", "unresolved"),
        (" \n", "unknown", "unresolved"),
        ("arn:", "arn:", "unresolved"),
        ("arn:aws:bedrock:us-east-1::foundation-model/", "foundation-model/", "unresolved"),
        ("arn:aws:bedrock:us-east-1:: ", "unknown", "unresolved"),
        ("Anthropic.Claude", "Anthropic.Claude", "unresolved"),
        ("anthropic.claude\nx", "anthropic.claude x", "unresolved"),
        ('a"b\\c<i>.d', 'a"b\\c<i>.d', "unresolved"),
        ("x" * 10_000, "x" * 255 + "…", "unresolved"),
        ("anthropic" + ".a" * 5_000, ("anthropic" + ".a" * 123) + "…", "unresolved"),
    ],
)
def test_an_id_that_hides_its_model_says_why_it_has_no_price(model_id, model, reason):
    assert resolve(model_id, {}) == Model(model, IN_REGION, UnpricedReason(reason))


@pytest.mark.parametrize("key", [PROFILE, "a1b2c3d4e5f6"])
@pytest.mark.parametrize(
    ("alias", "model"),
    [
        (SONNET, Model(SONNET, IN_REGION)),
        (f"us.{SONNET}", Model(SONNET, GEO)),
        (f"global.{SONNET}", Model(SONNET, GLOBAL)),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", Model(SONNET, IN_REGION)),
        (f"{HERE}:inference-profile/global.{SONNET}", Model(SONNET, GLOBAL)),
    ],
)
def test_an_alias_names_the_model_and_the_routing_of_an_opaque_profile(key, alias, model):
    assert resolve(PROFILE, {key: alias}) == model


def test_an_alias_of_the_whole_arn_comes_before_one_of_its_last_part():
    aliases = {"a1b2c3d4e5f6": "amazon.nova-pro-v1:0", PROFILE: SONNET}
    assert resolve(PROFILE, aliases) == Model(SONNET)


@pytest.mark.parametrize("key", [f"{HERE}:prompt/ABCDE12345:3", "ABCDE12345:3", "ABCDE12345"])
def test_a_prompt_may_be_aliased_with_or_without_its_version(key):
    assert resolve(f"{HERE}:prompt/ABCDE12345:3", {key: f"eu.{SONNET}"}) == Model(SONNET, GEO)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("provisioned-model/abc123def456", "provisioned"),
        ("custom-model/amazon.titan-text-lite-v1:0:4k/abc123def456", "custom"),
        ("custom-model-deployment/abc123def456", "custom"),
        ("imported-model/abc123def456", "imported"),
    ],
)
def test_an_alias_names_a_model_but_never_gives_it_an_on_demand_price(resource, reason):
    resolved = resolve(f"{HERE}:{resource}", {"abc123def456": f"us.{SONNET}"})
    assert resolved == Model(SONNET, IN_REGION, UnpricedReason(reason))


def test_a_bare_opaque_id_may_be_aliased():
    assert resolve("my-endpoint", {"my-endpoint": SONNET}) == Model(SONNET)


def test_an_id_that_names_its_model_is_not_aliased():
    assert resolve(SONNET, {SONNET: "amazon.nova-pro-v1:0"}) == Model(SONNET)


@pytest.mark.parametrize(
    "alias",
    [PROFILE, "a1b2c3d4e5f6", "nonsense", "", f"{HERE}:provisioned-model/abc123def456"],
)
def test_an_alias_that_names_no_model_leaves_the_id_unresolved(alias):
    aliases = {"a1b2c3d4e5f6": alias, "nonsense": "a1b2c3d4e5f6"}
    assert resolve(PROFILE, aliases) == Model(
        "application-inference-profile/a1b2c3d4e5f6", IN_REGION, UnpricedReason.UNRESOLVED
    )


def routes(*regions, model=SONNET):
    """Return the routes of a profile; an empty region is that of a global one."""
    return [f"arn:aws:bedrock:{region}::foundation-model/{model}" for region in regions]


@pytest.mark.parametrize(
    ("regions", "routing"),
    [
        (["us-east-1"], IN_REGION),
        (["us-east-1", "us-east-2", "us-west-2"], GEO),
        (["us-east-2", "us-west-2"], GEO),
        (["us-west-2"], GEO),
        (["ca-central-1", "us-east-1"], GEO),
        (["", "us-east-1"], GLOBAL),
        ([""], GLOBAL),
        (["", "us-east-1", "eu-west-1"], GLOBAL),
    ],
)
def test_a_looked_up_profile_is_routed_as_the_one_that_it_was_copied_from(regions, routing):
    assert resolve(PROFILE, {}, routes(*regions)) == Model(SONNET, routing)


def test_a_profile_of_another_region_is_in_region_there():
    there = PROFILE.replace("us-east-1", "eu-west-1")
    assert resolve(there, {}, routes("eu-west-1")) == Model(SONNET, IN_REGION)
    assert resolve(there, {}, routes("us-east-1")) == Model(SONNET, GEO)


@pytest.mark.parametrize(
    "told",
    [
        [],
        [*routes("us-east-1"), *routes("us-west-2", model="amazon.nova-pro-v1:0")],
        [f"{HERE}:provisioned-model/abc123def456"],
        [f"{HERE}:custom-model/amazon.nova/abc123def456"],
        [PROFILE],
        [""],
        ["nonsense"],
    ],
)
def test_a_profile_whose_routes_do_not_lead_to_one_model_stays_unresolved(told):
    assert resolve(PROFILE, {}, told) == Model(
        "application-inference-profile/a1b2c3d4e5f6", IN_REGION, UnpricedReason.UNRESOLVED
    )


def test_an_alias_comes_before_what_aws_said_unless_it_names_no_model():
    nova = "amazon.nova-pro-v1:0"
    assert resolve(PROFILE, {"a1b2c3d4e5f6": nova}, routes("us-east-1")) == Model(nova)
    assert resolve(PROFILE, {"a1b2c3d4e5f6": "nonsense"}, routes("us-east-1")) == Model(SONNET)


def test_routes_say_nothing_of_an_id_that_does_not_hide_its_model():
    nova = "amazon.nova-pro-v1:0"
    assert resolve(f"us.{nova}", {}, routes("us-east-1")) == Model(nova, GEO)
    provisioned = resolve(f"{HERE}:provisioned-model/abc", {}, routes("us-east-1"))
    assert provisioned == Model("provisioned-model/abc", IN_REGION, UnpricedReason.PROVISIONED)


@given(st.text(max_size=300))
def test_any_text_resolves_to_a_printable_bounded_label(text):
    for model_id in (text, f"us.{text}", f"{HERE}:inference-profile/{text}"):
        model = resolve(model_id, {}).model
        assert 0 < len(model) <= 256
        assert "\n" not in model
        assert describe(model).name


@pytest.mark.parametrize(
    ("model", "name", "provider"),
    [
        (SONNET, "Claude Sonnet 4.5", "Anthropic"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "Claude Sonnet 4", "Anthropic"),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", "Claude 3.7 Sonnet", "Anthropic"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "Claude 3.5 Sonnet v2", "Anthropic"),
        ("anthropic.claude-opus-4-6-v1", "Claude Opus 4.6", "Anthropic"),
        ("anthropic.claude-sonnet-4-6", "Claude Sonnet 4.6", "Anthropic"),
        ("anthropic.claude-v2:1", "Claude 2.1", "Anthropic"),
        ("anthropic.claude-instant-v1", "Claude Instant", "Anthropic"),
        ("amazon.nova-pro-v1:0", "Nova Pro", "Amazon"),
        ("amazon.nova-2-lite-v1:0", "Nova 2 Lite", "Amazon"),
        ("amazon.titan-embed-text-v2:0", "Titan Embed Text v2", "Amazon"),
        ("meta.llama3-3-70b-instruct-v1:0", "Llama 3.3 70B Instruct", "Meta"),
        ("meta.llama3-70b-instruct-v1:0", "Llama 3 70B Instruct", "Meta"),
        ("cohere.command-r-plus-v1:0", "Command R+", "Cohere"),
        ("cohere.rerank-v3-5:0", "Rerank v3.5", "Cohere"),
        ("ai21.jamba-1-5-large-v1:0", "Jamba 1.5 Large", "AI21 Labs"),
        ("deepseek.r1-v1:0", "DeepSeek-R1", "DeepSeek"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b", "OpenAI"),
        ("qwen.qwen3-coder-480b-a35b-v1:0", "Qwen3 Coder 480B A35B", "Qwen"),
        ("moonshotai.kimi-k2.5", "Kimi K2.5", "Moonshot AI"),
        ("zai.glm-4.7", "GLM 4.7", "Z.AI"),
        ("mistral.mixtral-8x7b-instruct-v0:1", "Mixtral 8x7B Instruct", "Mistral AI"),
        ("google.gemma-3-27b-it", "Gemma 3 27B IT", "Google"),
        ("newcomer.model-1-v1:0", "Model 1", "Newcomer"),
        (
            "application-inference-profile/a1b2c3d4e5f6",
            "application-inference-profile/a1b2c3d4e5f6",
            "unknown",
        ),
        ("claude", "claude", "unknown"),
        ("other", "other", "unknown"),
    ],
)
def test_a_model_is_called_as_people_call_it(model, name, provider):
    assert describe(model) == (name, provider)
