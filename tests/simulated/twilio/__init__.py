"""Tests of the simulated Twilio, and of the OpenID Provider behind it."""
