resource "aws_volume_attachment" "sample" {
  device_name = "/dev/xvdf"
  instance_id = "i-0123456789abcdef0"
  volume_id   = "vol-0123456789abcdef0"
}
