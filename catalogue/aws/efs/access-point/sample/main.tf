resource "aws_efs_access_point" "sample" {
  file_system_id = "fs-0123456789abcdef0"
  posix_user {
    gid = 1000
    uid = 1000
  }
  root_directory {
    path = "/orders"
  }
}
