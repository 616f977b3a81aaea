output "vpc_id" {
  description = "The VPC"
  value       = try(aws_vpc.this[0].id, null)
}

output "private_subnet_ids" {
  description = "Private subnets, in the order of the zones"
  value       = [for zone in keys(local.zones) : aws_subnet.private[zone].id]
}

output "public_subnet_ids" {
  description = "Public subnets, in the order of the zones"
  value       = [for zone in keys(local.zones) : aws_subnet.public[zone].id]
}

output "process_security_group_id" {
  description = "Security group of API, control and runners"
  value       = try(aws_security_group.processes[0].id, null)
}
