resource "aws_sagemaker_endpoint_configuration" "sample" {
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name        = "prices"
  production_variants {
    initial_instance_count = 2
    initial_variant_weight = 1
    instance_type          = "ml.m5.large"
    model_name             = "prices"
    variant_name           = "all"
  }
}
