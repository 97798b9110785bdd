output "source" {
  description = "The source of config.yaml that reads this."
  value = {
    type      = "athena"
    location  = trimsuffix("s3://${var.log_bucket}/${var.log_prefix}", "/")
    region    = local.region
    database  = aws_glue_catalog_database.this.name
    table     = aws_glue_catalog_table.invocation_logs.name
    workgroup = aws_athena_workgroup.this.name
  }
}

output "exporter_policy_json" {
  description = "The least that the exporter must be allowed; attach it to what it runs as."
  value       = data.aws_iam_policy_document.exporter.json
}

output "log_bucket_policy_json" {
  description = "What the policy of the log bucket must hold; merge it where the bucket is not made here."
  value       = data.aws_iam_policy_document.logs.json
}

output "analytics_bucket" {
  description = "The bucket of query results."
  value       = aws_s3_bucket.analytics.id
}
