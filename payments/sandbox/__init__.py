"""The local Stripe: a real HTTP server with the part of Stripe's surface that payments/ uses."""
