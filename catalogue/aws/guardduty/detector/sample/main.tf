resource "aws_guardduty_detector" "sample" {
  enable = true
}

resource "aws_guardduty_detector_feature" "f0" {
  detector_id = aws_guardduty_detector.sample.id
  name        = "S3_DATA_EVENTS"
  status      = "ENABLED"
}

resource "aws_guardduty_detector_feature" "f1" {
  detector_id = aws_guardduty_detector.sample.id
  name        = "EKS_AUDIT_LOGS"
  status      = "ENABLED"
}

resource "aws_guardduty_detector_feature" "f2" {
  detector_id = aws_guardduty_detector.sample.id
  name        = "LAMBDA_NETWORK_LOGS"
  status      = "ENABLED"
}

resource "aws_guardduty_detector_feature" "f3" {
  detector_id = aws_guardduty_detector.sample.id
  name        = "RDS_LOGIN_EVENTS"
  status      = "ENABLED"
}

resource "aws_guardduty_detector_feature" "f4" {
  detector_id = aws_guardduty_detector.sample.id
  name        = "EBS_MALWARE_PROTECTION"
  status      = "ENABLED"
}

resource "aws_guardduty_detector_feature" "f5" {
  detector_id = aws_guardduty_detector.sample.id
  name        = "RUNTIME_MONITORING"
  status      = "ENABLED"
}
