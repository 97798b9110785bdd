"""How AWS is reached: sessions, roles, what is looked up, and the meter of what calls cost."""
