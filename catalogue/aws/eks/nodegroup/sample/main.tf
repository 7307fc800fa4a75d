resource "aws_eks_node_group" "sample" {
  cluster_name    = "shop"
  node_group_name = "general"
  node_role_arn   = "arn:aws:iam::123456789012:role/nodes"
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  instance_types  = ["m7g.large"]
  ami_type        = "BOTTLEROCKET_ARM_64"
  scaling_config {
    desired_size = 2
    max_size     = 4
    min_size     = 2
  }
  remote_access {
    ec2_ssh_key               = "ops"
    source_security_group_ids = ["sg-0123456789abcdef0"]
  }
}
