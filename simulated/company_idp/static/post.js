// Sends the sign-in answer on at once; without script, the button does.
document.getElementById("answer").submit();
