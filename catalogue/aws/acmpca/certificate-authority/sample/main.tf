resource "aws_acmpca_certificate_authority" "sample" {
  type       = "SUBORDINATE"
  usage_mode = "GENERAL_PURPOSE"
  certificate_authority_configuration {
    key_algorithm     = "RSA_4096"
    signing_algorithm = "SHA512WITHRSA"
    subject {
      common_name = "shop"
    }
  }
  revocation_configuration {
    crl_configuration {
      enabled            = true
      expiration_in_days = 7
      s3_bucket_name     = "shop-crl"
    }
  }
}
