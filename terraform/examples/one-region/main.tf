# One account, one region: logging, table, workgroup, and the policy of the role that the exporter
# runs as.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "exporter_role_name" {
  description = "The role that the exporter runs as."
  type        = string
}

data "aws_caller_identity" "current" {}

module "bedrock_exporter" {
  source = "../.."

  log_bucket = "bedrock-logs-${data.aws_caller_identity.current.account_id}-us-east-1"
}

resource "aws_iam_role_policy" "bedrock_exporter" {
  name   = "bedrock-exporter"
  role   = var.exporter_role_name
  policy = module.bedrock_exporter.exporter_policy_json
}

output "source" {
  value = module.bedrock_exporter.source
}
