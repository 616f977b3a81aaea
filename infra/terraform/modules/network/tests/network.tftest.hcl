mock_provider "aws" {}

variables {
  name               = "a123456789-123456789-123456789-123456789"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
}

run "no_nat" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_subnet.private) == 2
    error_message = "There is a NAT, or not a subnet in each zone."
  }
}

run "nat_per_zone" {
  command = plan

  variables {
    nat = "per_zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_route.private) == 2
    error_message = "Not every zone has a way out of its own."
  }
}

run "refuses_an_unknown_nat" {
  command = plan

  variables {
    nat = "two"
  }

  expect_failures = [var.nat]
}
