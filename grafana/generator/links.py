"""Where a click leads: from a figure to the dashboard that explains it."""

_KEEP = "${__url_time_range}&var-datasource=${datasource}"

LIMITS = f"/d/bedrock-limits?{_KEEP}"
MODELS = f"/d/bedrock-models?{_KEEP}"
EXPORTER = f"/d/bedrock-exporter?{_KEEP}"
KIRO = f"/d/bedrock-kiro?{_KEEP}"
KIRO_PROMPTS = f"/d/bedrock-qdeveloper?var-product=kiro&{_KEEP}"
THIS_KIRO_USER = f"/d/bedrock-kiro?var-user=${{__value.raw:percentencode}}&{_KEEP}"
THIS_QDEVELOPER_USER = (
    f"/d/bedrock-qdeveloper?var-user=${{__value.raw:percentencode}}&${{product:queryparam}}&{_KEEP}"
)
THIS_APPLICATION = f"/d/bedrock-application?var-application=${{__value.raw:percentencode}}&{_KEEP}"
THIS_USER = f"/d/bedrock-user?var-user=${{__value.raw:percentencode}}&{_KEEP}"
THIS_MODEL = f"/d/bedrock-models?var-model=${{__value.raw:percentencode}}&{_KEEP}"
