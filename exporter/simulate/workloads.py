"""Who calls which model: the companies' applications and people, as one table.

Accounts, names and ids are made up; model ids are Bedrock's, except for one of a model to come.
A workload is one application or person in one account and region.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

SHOP = "111122223333"
ENGINEERING = "444455556666"
ANALYTICS = "123456789012"


class Dialect(Enum):
    """The shape of request and response bodies."""

    CONVERSE = "converse"
    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    LLAMA = "llama"
    TITAN_EMBEDDING = "titan_embedding"
    IMAGE = "image"


class Rhythm(Enum):
    """When a workload is busy: weights of a local day's hours, and the factor of a weekend."""

    OFFICE = ((0.1,) * 8 + (1.0, 1.6, 1.8, 1.6, 1.0, 1.6, 1.8, 1.6, 1.2, 0.8) + (0.2,) * 6, 0.1)
    CUSTOMERS = ((0.3,) * 7 + (0.8,) * 2 + (1.5,) * 10 + (1.1,) * 3 + (0.6,) * 2, 0.6)
    NIGHTLY = ((0.2, 4.0, 6.0, 5.0, 2.0) + (0.2,) * 19, 1.0)

    def __init__(self, hours: tuple[float, ...], weekend: float) -> None:
        mean = sum(hours) / 24 * (5 + 2 * weekend) / 7
        self._weekdays = tuple(weight / mean for weight in hours)
        self._weekends = tuple(weight * weekend / mean for weight in hours)

    def weight(self, local_hour: int, weekday: int) -> float:
        """Return how busy an hour is, Monday being 0; the mean of a week is 1."""
        return (self._weekdays if weekday < 5 else self._weekends)[local_hour]


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of call of a workload; tokens are medians."""

    weight: float
    model_id: str
    dialect: Dialect
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_ttl: str = ""
    """5m or 1h, as the response body states it; empty where it does not."""
    stream: bool = False
    service_tier: str = ""
    """As the response body states it; empty where it does not."""

    @property
    def operation(self) -> str:
        """Return the operation as a record names it."""
        if self.dialect is Dialect.CONVERSE:
            return "ConverseStream" if self.stream else "Converse"
        return "InvokeModelWithResponseStream" if self.stream else "InvokeModel"


@dataclass(frozen=True, slots=True)
class Workload:
    """One caller's traffic; `share` is its part of all calls."""

    name: str
    account_id: str
    region: str
    share: float
    utc_offset: int
    """In hours."""
    rhythm: Rhythm
    principals: tuple[str, ...]
    """ARN resources; {botocore}, {instance} and {uuid} stand for names that machines make up."""
    tasks: tuple[Task, ...]
    metadata: tuple[Mapping[str, str], ...] = ()
    """Values of requestMetadata; a call has one of them."""


def _role(application: str, *sessions: str) -> tuple[str, ...]:
    return tuple(f"assumed-role/{application}-BedrockRole/{session}" for session in sessions)


_SONNET_4_5 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
_HAIKU_4_5 = "anthropic.claude-haiku-4-5-20251001-v1:0"
_OPUS_4_6 = "anthropic.claude-opus-4-6-v1"
_SONNET_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
_HAIKU_3 = "anthropic.claude-3-haiku-20240307-v1:0"

APPLICATION_PROFILE = (
    f"arn:aws:bedrock:us-east-1:{ENGINEERING}:application-inference-profile/r3p0rtwr1t3r"
)
"""Of ReportWriter. No log says that the model behind it is Claude Haiku 4.5."""
FUTURE_MODEL = "us.anthropic.claude-sonnet-9-20280101-v1:0"
"""In no price book."""
_WEST_PROFILE = f"arn:aws:bedrock:us-west-2:{ENGINEERING}:inference-profile/us.{_OPUS_4_6}"
_SEOUL_PROFILE = f"arn:aws:bedrock:ap-northeast-2:{ANALYTICS}:inference-profile/apac.{_SONNET_3_7}"

_CONVERSE, _ANTHROPIC, _OPENAI = Dialect.CONVERSE, Dialect.ANTHROPIC, Dialect.OPENAI

_CUSTOMER_SERVICE = (
    Task(5, f"us.{_SONNET_4_5}", _CONVERSE, 24_000, 2_600, 40_000, 10_000, "5m", stream=True),
    Task(2, f"us.{_SONNET_4_5}", _CONVERSE, 20_000, 2_200, 40_000, 10_000, "1h"),
    Task(1, _SONNET_3_7, _CONVERSE, 15_000, 1_500),
    Task(2, _HAIKU_3, _ANTHROPIC, 1_200, 60),
)
_CUSTOMER_SERVICE_SEOUL = (
    Task(3, f"global.{_SONNET_4_5}", _CONVERSE, 22_000, 2_400, 40_000, 10_000, stream=True),
    Task(1, f"global.{_HAIKU_4_5}", _CONVERSE, 4_000, 300),
)
_CODE_REVIEW = (
    Task(3, f"eu.{_OPUS_4_6}", _ANTHROPIC, 5_000, 1_200, 40_000, 6_000, "1h", stream=True),
    Task(4, f"eu.{_SONNET_4_5}", _ANTHROPIC, 4_000, 900, 25_000, 5_000, "5m", stream=True),
    Task(1, f"eu.{_HAIKU_4_5}", _ANTHROPIC, 3_000, 400, 10_000, 2_000),
    Task(0.2, f"eu.{_SONNET_4_5}", _ANTHROPIC, 260_000, 2_000, stream=True),
)
_CODE_REVIEW_WEST = (
    Task(2, _WEST_PROFILE, _ANTHROPIC, 5_000, 1_200, 40_000, 6_000, "5m"),
    Task(1, f"us.{_HAIKU_4_5}", _CONVERSE, 3_000, 400, 8_000, 2_000),
)
_DOC_SEARCH = (
    Task(5, "amazon.titan-embed-text-v2:0", Dialect.TITAN_EMBEDDING, 700),
    Task(3, "us.amazon.nova-lite-v1:0", _CONVERSE, 6_000, 500),
    Task(1, "us.amazon.nova-pro-v1:0", _CONVERSE, 6_000, 700, stream=True, service_tier="priority"),
)
_SALES = (
    Task(4, "apac.amazon.nova-pro-v1:0", _CONVERSE, 12_000, 1_500, stream=True),
    Task(2, _SEOUL_PROFILE, _CONVERSE, 12_000, 1_500, 12_000, 4_000),
)
_PIPELINE = (
    Task(4, f"global.{_HAIKU_4_5}", _CONVERSE, 30_000, 3_000),
    Task(2, "openai.gpt-oss-120b-1:0", _OPENAI, 6_000, 900, stream=True),
    Task(2, "openai.gpt-oss-120b-1:0", _CONVERSE, 6_000, 900, service_tier="flex"),
    Task(2, "us.meta.llama3-3-70b-instruct-v1:0", Dialect.LLAMA, 5_000, 500),
)

WORKLOADS = (
    Workload(
        name="CustomerServiceApp",
        account_id=SHOP,
        region="us-east-1",
        share=0.26,
        utc_offset=-5,
        rhythm=Rhythm.CUSTOMERS,
        principals=_role("CustomerServiceApp", "alice.kim", "bruno.silva", "chen.wei", "divya.rao"),
        tasks=_CUSTOMER_SERVICE,
    ),
    Workload(
        name="CustomerServiceApp",
        account_id=SHOP,
        region="ap-northeast-2",
        share=0.08,
        utc_offset=9,
        rhythm=Rhythm.CUSTOMERS,
        principals=_role("CustomerServiceApp", "jiwoo.park", "minjun.lee"),
        tasks=_CUSTOMER_SERVICE_SEOUL,
    ),
    Workload(
        name="CodeReviewer",
        account_id=ENGINEERING,
        region="eu-central-1",
        share=0.13,
        utc_offset=1,
        rhythm=Rhythm.OFFICE,
        principals=_role(
            "CodeReviewer",
            "anna.schmidt@example.com",
            "lukas.weber@example.com",
            "sofia.rossi@example.com",
        ),
        tasks=_CODE_REVIEW,
    ),
    Workload(
        name="CodeReviewer",
        account_id=ENGINEERING,
        region="us-west-2",
        share=0.04,
        utc_offset=-8,
        rhythm=Rhythm.OFFICE,
        principals=_role("CodeReviewer", "omar.haddad@example.com", "grace.chen@example.com"),
        tasks=_CODE_REVIEW_WEST,
    ),
    Workload(
        name="DocumentSearchApp",
        account_id=SHOP,
        region="us-west-2",
        share=0.16,
        utc_offset=-8,
        rhythm=Rhythm.OFFICE,
        principals=_role("DocumentSearchApp", "{instance}", "{botocore}"),
        tasks=_DOC_SEARCH,
    ),
    Workload(
        name="SalesCopilot",
        account_id=ANALYTICS,
        region="ap-northeast-2",
        share=0.09,
        utc_offset=9,
        rhythm=Rhythm.OFFICE,
        principals=_role("SalesCopilot", "haeun.choi", "doyun.kang", "seoyeon.yoon"),
        tasks=_SALES,
    ),
    Workload(
        name="DataPipeline",
        account_id=ANALYTICS,
        region="us-east-1",
        share=0.1,
        utc_offset=-5,
        rhythm=Rhythm.NIGHTLY,
        principals=_role("DataPipeline", "{botocore}", "{uuid}", "nightly-etl"),
        tasks=_PIPELINE,
    ),
    Workload(
        name="llm-gateway",
        account_id=ANALYTICS,
        region="us-west-2",
        share=0.05,
        utc_offset=-8,
        rhythm=Rhythm.OFFICE,
        principals=("assumed-role/llm-gateway/{uuid}",),
        tasks=(Task(1, "us.amazon.nova-pro-v1:0", _CONVERSE, 8_000, 1_500),),
        metadata=(
            {"application": "TicketSummarizer", "user": "ravi.patel", "environment": "prod"},
            {"application": "TicketSummarizer", "user": "lena.fischer", "environment": "prod"},
            {"application": "TranslationApi", "user": "translation-batch", "environment": "test"},
        ),
    ),
    Workload(
        name="ReportWriter",
        account_id=ENGINEERING,
        region="us-east-1",
        share=0.03,
        utc_offset=-5,
        rhythm=Rhythm.OFFICE,
        principals=_role("ReportWriter", "reports"),
        tasks=(Task(1, APPLICATION_PROFILE, _CONVERSE, 20_000, 4_000),),
    ),
    Workload(
        name="MarketingStudio",
        account_id=SHOP,
        region="us-east-1",
        share=0.015,
        utc_offset=-5,
        rhythm=Rhythm.OFFICE,
        principals=_role("MarketingStudio", "nora.lopez"),
        tasks=(Task(1, "amazon.nova-canvas-v1:0", Dialect.IMAGE),),
    ),
    Workload(
        name="developers",
        account_id=ENGINEERING,
        region="eu-central-1",
        share=0.02,
        utc_offset=1,
        rhythm=Rhythm.OFFICE,
        principals=(
            "assumed-role/AWSReservedSSO_BedrockDeveloper_1a2b3c4d5e6f7a8b/dana.meyer@example.com",
            "assumed-role/AWSReservedSSO_BedrockDeveloper_1a2b3c4d5e6f7a8b/paul.novak@example.com",
        ),
        tasks=(Task(1, f"eu.{_SONNET_4_5}", _CONVERSE, 3_000, 900),),
    ),
    Workload(
        name="research",
        account_id=ANALYTICS,
        region="us-east-1",
        share=0.015,
        utc_offset=-5,
        rhythm=Rhythm.OFFICE,
        principals=("user/research/mina.kim",),
        tasks=(Task(1, f"us.{_SONNET_3_7}", _ANTHROPIC, 3_000, 900),),
    ),
    Workload(
        name="prototype",
        account_id=ENGINEERING,
        region="us-west-2",
        share=0.01,
        utc_offset=-8,
        rhythm=Rhythm.CUSTOMERS,
        principals=("assumed-role/legacy-batch-runner/{instance}",),
        tasks=(Task(1, FUTURE_MODEL, _CONVERSE, 3_000, 600),),
    ),
)
