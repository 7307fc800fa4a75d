resource "aws_accessanalyzer_analyzer" "sample" {
  analyzer_name = "outside"
  type          = "ACCOUNT"
  tags          = { owner = "security" }
}
