resource "aws_glue_job" "sample" {
  default_arguments = {
    "--enable-continuous-cloudwatch-log" = "true"
    "--job-bookmark-option"              = "job-bookmark-enable"
  }
  glue_version           = "4.0"
  name                   = "report"
  number_of_workers      = 2
  role_arn               = "arn:aws:iam::123456789012:role/glue"
  security_configuration = "sealed"
  worker_type            = "G.1X"
  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "s3://shop-jobs/report.py"
  }
}
