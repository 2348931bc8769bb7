"""What is meta-learned: how the meta-parameters phi enter the inner problem."""
