"""Where a click leads: from a figure to the dashboard that explains it."""

_KEEP = "${__url_time_range}&var-datasource=${datasource}"

LIMITS = f"/d/bedrock-limits?{_KEEP}"
MODELS = f"/d/bedrock-models?{_KEEP}"
EXPORTER = f"/d/bedrock-exporter?{_KEEP}"
THIS_APPLICATION = f"/d/bedrock-application?var-application=${{__value.raw:percentencode}}&{_KEEP}"
THIS_USER = f"/d/bedrock-user?var-user=${{__value.raw:percentencode}}&{_KEEP}"
THIS_MODEL = f"/d/bedrock-models?var-model=${{__value.raw:percentencode}}&{_KEEP}"
