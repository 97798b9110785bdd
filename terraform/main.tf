# What the exporter's source `athena` needs, in the provider's account and region: the same as
# `bedrock-exporter aws logging enable` and `bedrock-exporter aws setup` make.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account_id       = data.aws_caller_identity.current.account_id
  partition        = data.aws_partition.current.partition
  region           = data.aws_region.current.id
  analytics_bucket = "bedrock-exporter-${local.account_id}-${local.region}"
  log_bucket_arn   = "arn:${local.partition}:s3:::${var.log_bucket}"
  log_objects      = "${local.log_bucket_arn}/${var.log_prefix}AWSLogs"
  results_arn      = "arn:${local.partition}:s3:::${local.analytics_bucket}"
  logs             = "s3://${var.log_bucket}/${var.log_prefix}AWSLogs/"
  glue             = "arn:${local.partition}:glue:${local.region}:${local.account_id}"
  tags             = { "created-by" = "bedrock-exporter" }
}

# --- Model Invocation Logging and its bucket -------------------------------------------------

resource "aws_s3_bucket" "logs" {
  count  = var.create_log_bucket ? 1 : 0
  bucket = var.log_bucket
  tags   = local.tags
}

resource "aws_s3_bucket_public_access_block" "logs" {
  count                   = var.create_log_bucket ? 1 : 0
  bucket                  = aws_s3_bucket.logs[0].id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

# Where ACLs rule, the bucket policy has no effect on what Bedrock writes.
resource "aws_s3_bucket_ownership_controls" "logs" {
  count  = var.create_log_bucket ? 1 : 0
  bucket = aws_s3_bucket.logs[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  count  = var.create_log_bucket ? 1 : 0
  bucket = aws_s3_bucket.logs[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# What a bucket that is not made here needs, too: see the output log_bucket_policy_json.
data "aws_iam_policy_document" "logs" {
  statement {
    sid       = "BedrockExporterTlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.log_bucket_arn, "${local.log_bucket_arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "BedrockExporterInvocationLogs"
    effect    = "Allow"
    actions   = ["s3:PutObject"]
    resources = ["${local.log_objects}/${local.account_id}/BedrockModelInvocationLogs/*"]

    principals {
      type        = "Service"
      identifiers = ["bedrock.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:bedrock:${local.region}:${local.account_id}:*"]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count  = var.create_log_bucket ? 1 : 0
  bucket = aws_s3_bucket.logs[0].id
  policy = data.aws_iam_policy_document.logs.json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}

resource "aws_bedrock_model_invocation_logging_configuration" "this" {
  count = var.enable_logging ? 1 : 0

  logging_config {
    text_data_delivery_enabled      = var.log_text
    embedding_data_delivery_enabled = var.log_embedding
    image_data_delivery_enabled     = var.log_image
    video_data_delivery_enabled     = var.log_video

    s3_config {
      bucket_name = var.log_bucket
      key_prefix  = var.log_prefix == "" ? null : trimsuffix(var.log_prefix, "/")
    }
  }

  # Bedrock tries to write at once.
  depends_on = [aws_s3_bucket_policy.logs, aws_s3_bucket_ownership_controls.logs]
}

# --- The bucket of query results -------------------------------------------------------------

resource "aws_s3_bucket" "analytics" {
  bucket = local.analytics_bucket
  tags   = local.tags
}

resource "aws_s3_bucket_public_access_block" "analytics" {
  bucket                  = aws_s3_bucket.analytics.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "analytics" {
  bucket = aws_s3_bucket.analytics.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "analytics" {
  bucket = aws_s3_bucket.analytics.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

data "aws_iam_policy_document" "analytics" {
  statement {
    sid       = "BedrockExporterTlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.results_arn, "${local.results_arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "analytics" {
  bucket = aws_s3_bucket.analytics.id
  policy = data.aws_iam_policy_document.analytics.json

  depends_on = [aws_s3_bucket_public_access_block.analytics]
}

resource "aws_s3_bucket_lifecycle_configuration" "analytics" {
  bucket = aws_s3_bucket.analytics.id

  rule {
    id     = "bedrock-exporter-query-results"
    status = "Enabled"

    filter {
      prefix = "athena/"
    }

    expiration {
      days = var.result_days
    }
  }

  rule {
    id     = "bedrock-exporter-unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# --- Table and workgroup ---------------------------------------------------------------------

resource "aws_glue_catalog_database" "this" {
  name        = var.database
  description = "Tables of bedrock-exporter"
  tags        = local.tags
}

# One column holds the JSON text of a record as it stands; partitions are projected.
resource "aws_glue_catalog_table" "invocation_logs" {
  name          = var.table
  database_name = aws_glue_catalog_database.this.name
  description   = "Model Invocation Logs, one record a line; made by bedrock-exporter"
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    "created-by"                        = "bedrock-exporter"
    "EXTERNAL"                          = "TRUE"
    "projection.enabled"                = "true"
    "projection.account_id.type"        = "injected"
    "projection.region.type"            = "injected"
    "projection.datehour.type"          = "date"
    "projection.datehour.format"        = "yyyy/MM/dd/HH"
    "projection.datehour.range"         = "2023/09/01/00,NOW"
    "projection.datehour.interval"      = "1"
    "projection.datehour.interval.unit" = "HOURS"
    "storage.location.template"         = "${local.logs}$${account_id}/BedrockModelInvocationLogs/$${region}/$${datehour}/"
  }

  partition_keys {
    name = "account_id"
    type = "string"
  }

  partition_keys {
    name = "region"
    type = "string"
  }

  partition_keys {
    name = "datehour"
    type = "string"
  }

  storage_descriptor {
    location      = local.logs
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    columns {
      name = "line"
      type = "string"
    }

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"

      parameters = {
        "serialization.format" = "1"
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name        = var.workgroup
  description = "Queries of bedrock-exporter"
  state       = "ENABLED"
  tags        = local.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = false
    bytes_scanned_cutoff_per_query     = var.scan_cutoff_bytes

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = "s3://${local.analytics_bucket}/athena/"
      expected_bucket_owner = local.account_id

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }

  depends_on = [aws_s3_bucket.analytics]
}
