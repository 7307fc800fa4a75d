resource "aws_mwaa_environment" "sample" {
  airflow_version       = "2.10.1"
  dag_s3_path           = "dags"
  execution_role_arn    = "arn:aws:iam::123456789012:role/airflow"
  kms_key               = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name                  = "reports"
  source_bucket_arn     = "arn:aws:s3:::shop-dags"
  webserver_access_mode = "PRIVATE_ONLY"
  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "INFO"
    }
    scheduler_logs {
      enabled   = true
      log_level = "INFO"
    }
    task_logs {
      enabled   = true
      log_level = "INFO"
    }
    webserver_logs {
      enabled   = true
      log_level = "INFO"
    }
    worker_logs {
      enabled   = true
      log_level = "INFO"
    }
  }
  network_configuration {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }
}
