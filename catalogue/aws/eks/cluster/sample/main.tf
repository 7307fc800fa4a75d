resource "aws_eks_cluster" "sample" {
  name                      = "shop"
  role_arn                  = "arn:aws:iam::123456789012:role/eks"
  version                   = "1.33"
  enabled_cluster_log_types = ["api", "audit", "authenticator"]
  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
    }
  }
  vpc_config {
    endpoint_private_access = true
    endpoint_public_access  = false
    public_access_cidrs     = ["203.0.113.0/24"]
    subnet_ids              = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  }
}
