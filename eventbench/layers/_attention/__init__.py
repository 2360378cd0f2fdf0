"""The engines of TCJA and PFA: gates as contractions, without a map of the input's size a rank."""
