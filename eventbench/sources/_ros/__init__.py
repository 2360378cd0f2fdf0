"""How bags of ROS are decoded: files, messages, and what cameras put into them."""
