# The least that the exporter itself must be allowed, the same as `bedrock-exporter aws permissions`
# prints: its output is attached to the role or user that the exporter runs as.

# What each source reads of developer assistants; of reports, without the prompts beside them.
locals {
  assistant_folders = {
    prompt_logs      = ["KiroLogs/", "QDeveloperLogs/"]
    activity_reports = ["KiroLogs/by_user_analytic/", "QDeveloperLogs/by_user_analytic/"]
    kiro_reports     = ["KiroLogs/user_report/"]
  }
  folders_read = distinct(flatten([for source in var.assistant_sources : local.assistant_folders[source]]))
}

data "aws_iam_policy_document" "exporter" {
  statement {
    sid       = "ListLogs"
    actions   = ["s3:ListBucket"]
    resources = [local.log_bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${var.log_prefix}AWSLogs/*"]
    }
  }

  statement {
    sid       = "ReadLogs"
    actions   = ["s3:GetObject"]
    resources = ["${local.log_objects}/*/BedrockModelInvocationLogs/*"]
  }

  statement {
    sid = "RunQueries"
    actions = [
      "athena:GetQueryExecution",
      "athena:GetQueryResults",
      "athena:StartQueryExecution",
      "athena:StopQueryExecution",
    ]
    resources = ["arn:${local.partition}:athena:${local.region}:${local.account_id}:workgroup/${var.workgroup}"]
  }

  statement {
    sid     = "ReadTable"
    actions = ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"]
    resources = [
      "${local.glue}:catalog",
      "${local.glue}:database/${var.database}",
      "${local.glue}:database/default",
      "${local.glue}:table/${var.database}/${var.table}",
    ]
  }

  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.results_arn, local.log_bucket_arn]
  }

  statement {
    sid       = "ListResults"
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [local.results_arn]
  }

  statement {
    sid = "KeepResults"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]
    resources = ["${local.results_arn}/athena/*"]
  }

  dynamic "statement" {
    for_each = var.assistant_bucket == null ? [] : [var.assistant_bucket]

    content {
      sid       = "ListAssistantLogs"
      actions   = ["s3:ListBucket"]
      resources = ["arn:${local.partition}:s3:::${statement.value}"]

      condition {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = ["${var.assistant_prefix}AWSLogs/*"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.assistant_bucket == null ? [] : [var.assistant_bucket]

    content {
      sid     = "ReadAssistantLogs"
      actions = ["s3:GetObject"]
      resources = [
        for folder in local.folders_read :
        "arn:${local.partition}:s3:::${statement.value}/${var.assistant_prefix}AWSLogs/*/${folder}*"
      ]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = ["s3.${local.region}.amazonaws.com*"]
      }
    }
  }
}
