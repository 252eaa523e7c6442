# A Fastly service for a Lockstep index: names, addresses, and the rules beside this folder. Everything
# that decides how a page is cached stands in main.vcl, where it can be read and linted.

terraform {
  required_providers {
    fastly = {
      source  = "fastly/fastly"
      version = ">= 5.0"
    }
  }
}

variable "domain" {
  description = "The name clients use; `public_url` of the settings without https://"
  type        = string
}

variable "origin" {
  description = "Host name of the origin, with a TLS certificate of its own"
  type        = string
}

variable "shield" {
  description = "The POP that alone asks the origin; take one near it"
  type        = string
  default     = "iad-va-us"
}

resource "fastly_service_vcl" "index" {
  name = "lockstep"

  domain {
    name = var.domain
  }

  backend {
    name              = "origin"
    address           = var.origin
    port              = 443
    use_ssl           = true
    ssl_cert_hostname = var.origin
    ssl_sni_hostname  = var.origin
    override_host     = var.domain
    shield            = var.shield
    healthcheck       = "alive"

    # For uploads, which are answered once they are durable; main.vcl is stricter on pages.
    connect_timeout       = 1000
    first_byte_timeout    = 60000
    between_bytes_timeout = 60000
  }

  # The process, not its database: an origin that can't reach its database answers 503 by itself.
  healthcheck {
    name           = "alive"
    host           = var.domain
    method         = "GET"
    path           = "/healthz"
    check_interval = 5000
    timeout        = 2000
    window         = 4
    threshold      = 2
    initial        = 2
  }

  request_setting {
    name      = "https"
    force_ssl = true
  }

  vcl {
    name    = "main"
    content = file("${path.module}/../main.vcl")
    main    = true
  }
}

output "service_id" {
  description = "`service_id` of the [[cdn]] in the settings"
  value       = fastly_service_vcl.index.id
}
