"""What is wrong with the engine's surroundings, why, and what to do about it.

Other apps add their own checks in AppConfig.ready: `doctor.register("mail", check)`.
"""

from jobs.doctor.findings import Finding, Level, register

__all__ = ["Finding", "Level", "register"]
