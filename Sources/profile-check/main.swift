print("profile-check")
