"""Full orders while everything is killed at random: nothing lost, nothing doubled, no answer contradicted (E1).

See docs/developers/chaos.md.
"""
