resource "aws_dms_replication_task" "sample" {
  migration_type            = "full-load-and-cdc"
  replication_instance_arn  = "arn:aws:dms:eu-central-1:123456789012:rep:A1"
  replication_task_id       = "orders"
  replication_task_settings = "{\"Logging\":{\"EnableLogging\":true,\"LogComponents\":[{\"Id\":\"SOURCE_CAPTURE\",\"Severity\":\"LOGGER_SEVERITY_DEFAULT\"},{\"Id\":\"SOURCE_UNLOAD\",\"Severity\":\"LOGGER_SEVERITY_DEFAULT\"},{\"Id\":\"TARGET_APPLY\",\"Severity\":\"LOGGER_SEVERITY_DEFAULT\"},{\"Id\":\"TARGET_LOAD\",\"Severity\":\"LOGGER_SEVERITY_DEFAULT\"}]}}"
  source_endpoint_arn       = "arn:aws:dms:eu-central-1:123456789012:endpoint:S1"
  table_mappings            = "{\"rules\":[]}"
  target_endpoint_arn       = "arn:aws:dms:eu-central-1:123456789012:endpoint:T1"
}
