variable "log_bucket" {
  description = "The bucket of the Model Invocation Logs, in the provider's account and region."
  type        = string
}

variable "log_prefix" {
  description = "What the logs' keys begin with, before AWSLogs/: empty, or ending in a slash."
  type        = string
  default     = "bedrock/"

  validation {
    condition     = var.log_prefix == "" || can(regex("^[^/].*[^/]/$|^[^/]/$", var.log_prefix))
    error_message = "Must be empty, or end in a slash and not begin with one."
  }
}

variable "create_log_bucket" {
  description = "Whether the log bucket is made here, with the policy that lets Bedrock write."
  type        = bool
  default     = true
}

variable "enable_logging" {
  description = "Whether Model Invocation Logging is configured here; a region has one configuration."
  type        = bool
  default     = true
}

variable "log_text" {
  description = "Whether text bodies are logged. Without them, the figures lack the lifetime of cache writes, the service tier and latency-optimised calls."
  type        = bool
  default     = true
}

variable "log_embedding" {
  description = "Whether embeddings are logged. Without, calls of embedding models may be missing."
  type        = bool
  default     = true
}

variable "log_image" {
  description = "Whether images are logged. Without, calls of models that know nothing but images may be missing."
  type        = bool
  default     = false
}

variable "log_video" {
  description = "Whether videos are logged. Without, calls of models that know nothing but video may be missing."
  type        = bool
  default     = false
}

variable "database" {
  description = "The Glue database, as the source's `database` in config.yaml."
  type        = string
  default     = "bedrock_exporter"
}

variable "table" {
  description = "The Glue table, as the source's `table` in config.yaml."
  type        = string
  default     = "invocation_logs"
}

variable "workgroup" {
  description = "The Athena workgroup, as the source's `workgroup` in config.yaml."
  type        = string
  default     = "bedrock-exporter"
}

variable "scan_cutoff_bytes" {
  description = "The most that one query may scan. The default is a tenth of what 1.00 US dollar, the exporter's own ceiling of a day, pays for at 5 a terabyte."
  type        = number
  default     = 20000000000

  validation {
    condition     = var.scan_cutoff_bytes >= 10000000
    error_message = "Athena takes no less than 10000000."
  }
}

variable "result_days" {
  description = "How long query results are kept."
  type        = number
  default     = 7
}

variable "kms_key_arn" {
  description = "The key that encrypts the analytics bucket and query results; null: SSE-S3."
  type        = string
  default     = null
}

variable "assistant_bucket" {
  description = "The bucket that Amazon Q Developer and Kiro write into, for the exporter to read; null: none. It is not made here."
  type        = string
  default     = null
}

variable "assistant_prefix" {
  description = "What the keys in assistant_bucket begin with, before AWSLogs/: ending in a slash."
  type        = string
  default     = "qdeveloper/"

  validation {
    condition     = can(regex("^[^/].*[^/]/$|^[^/]/$", var.assistant_prefix))
    error_message = "Must end in a slash and not begin with one."
  }
}

variable "assistant_sources" {
  description = "Which sources of config.yaml read assistant_bucket. Without prompt_logs, no prompt can be read."
  type        = list(string)
  default     = ["prompt_logs", "activity_reports", "kiro_reports"]

  validation {
    condition     = alltrue([for source in var.assistant_sources : contains(["prompt_logs", "activity_reports", "kiro_reports"], source)])
    error_message = "Sources are prompt_logs, activity_reports and kiro_reports."
  }
}
