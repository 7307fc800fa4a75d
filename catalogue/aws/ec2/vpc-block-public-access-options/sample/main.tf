resource "aws_vpc_block_public_access_options" "sample" {
  internet_gateway_block_mode = "block-bidirectional"
}
