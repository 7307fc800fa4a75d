resource "aws_kinesis_video_stream" "sample" {
  data_retention_in_hours = 24
  kms_key_id              = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  media_type              = "video/h264"
  name                    = "door"
}
