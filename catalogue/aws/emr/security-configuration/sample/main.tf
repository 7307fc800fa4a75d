resource "aws_emr_security_configuration" "sample" {
  configuration = jsonencode({
    "EncryptionConfiguration" = {
      "AtRestEncryptionConfiguration" = {
        "LocalDiskEncryptionConfiguration" = {
          "AwsKmsKey"                 = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
          "EnableEbsEncryption"       = true
          "EncryptionKeyProviderType" = "AwsKms"
        }
        "S3EncryptionConfiguration" = {
          "AwsKmsKey"      = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
          "EncryptionMode" = "SSE-KMS"
        }
      }
      "EnableAtRestEncryption"    = true
      "EnableInTransitEncryption" = true
      "InTransitEncryptionConfiguration" = {
        "TLSCertificateConfiguration" = {
          "CertificateProviderType" = "PEM"
          "S3Object"                = "s3://shop-certs/emr.zip"
        }
      }
    }
  })
  name = "sealed"
}
