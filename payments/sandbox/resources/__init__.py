"""Stripe's resources, a module each: endpoints first, then what else moves the object."""
